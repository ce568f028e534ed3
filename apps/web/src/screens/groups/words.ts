import english from 'virtual:catalogue/en/groups';
import { addEnglish } from '../../i18n/i18n.ts';

addEnglish(english);
