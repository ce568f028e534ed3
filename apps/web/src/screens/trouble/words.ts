import english from 'virtual:catalogue/en/trust';
import { addEnglish } from '../../i18n/i18n.ts';

addEnglish(english);
