import { t } from '../../i18n/i18n.ts';
import { Page } from '../../ui/page.tsx';
import { About } from './about.tsx';
import { Appearance } from './appearance.tsx';
import { Blocked } from './blocked.tsx';
import { Devices } from './devices.tsx';
import { Keyboard } from './keyboard.tsx';
import { Privacy } from './privacy.tsx';
import { Profile } from './profile.tsx';
import { Storage } from './storage.tsx';
import './settings.css';

export const SettingsPage = () => (
  <Page title={t('settings.title')} back={t('conversation.back')}>
    <Profile />
    <Privacy />
    <Appearance />
    <Keyboard />
    <Storage />
    <Devices />
    <Blocked />
    <About />
  </Page>
);
