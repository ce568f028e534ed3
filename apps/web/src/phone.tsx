import './jitless.ts';
import { createRoot } from 'react-dom/client';
import { followLanguage } from './app/follow-language.ts';
import english from 'virtual:catalogue/en/welcome';
import { addEnglish } from './i18n/i18n.ts';
import { applyPreferences } from './platform/preferences.ts';
import { PhonePage } from './phone/phone-page.tsx';
import './styles/tokens.css';
import './styles/base.css';

// A page of its own: what Google's check of phone numbers needs is loaded and allowed here alone.
applyPreferences();
await followLanguage();
addEnglish(english);
createRoot(document.getElementById('root')!).render(<PhonePage />);
