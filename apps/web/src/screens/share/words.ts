import english from 'virtual:catalogue/en/writing';
import { addEnglish } from '../../i18n/i18n.ts';

addEnglish(english);
