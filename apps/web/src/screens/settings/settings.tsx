import welcome from 'virtual:catalogue/en/welcome';
import english from 'virtual:catalogue/en/settings';
import { addEnglish, t } from '../../i18n/i18n.ts';
import { Page } from '../../ui/page.tsx';
import { Keyboard } from '../keys/keyboard.tsx';
import { About } from './about.tsx';
import { Account } from './account.tsx';
import { Appearance } from './appearance.tsx';
import { Blocked } from './blocked.tsx';
import { Devices } from './devices.tsx';
import { Install } from './install.tsx';
import { Notifications } from './notifications.tsx';
import { Privacy } from './privacy.tsx';
import { Profile } from './profile.tsx';
import { Storage } from './storage.tsx';
import './settings.css';

addEnglish({ ...english, ...welcome });

export const SettingsPage = () => (
  <Page title={t('settings.title')} back={t('conversation.back')}>
    <Profile />
    <Privacy />
    <Notifications />
    <Appearance />
    <Keyboard />
    <Install />
    <Storage />
    <Devices />
    <Blocked />
    <About />
    <Account />
  </Page>
);
