import type { Meta, StoryObj } from '@storybook/react-vite';
import { Page, Section } from './page.tsx';

export default { component: Page } satisfies Meta<typeof Page>;

export const TwoSections: StoryObj<typeof Page> = {
  args: {
    title: 'Settings',
    back: 'Back to chats',
    children: (
      <>
        <Section title="Profile">
          <p>Mara Lind</p>
        </Section>
        <Section title="About">
          <p className="page-quiet">Sotto</p>
        </Section>
      </>
    ),
  },
};
