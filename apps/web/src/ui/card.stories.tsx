import type { Meta, StoryObj } from '@storybook/react-vite';
import { Button } from './button.tsx';
import { Card } from './card.tsx';

export default { component: Card, parameters: { screen: true } } satisfies Meta<typeof Card>;

export const Plain: StoryObj<typeof Card> = {
  args: {
    title: 'Sotto is by invitation',
    children: (
      <>
        <p>Ask somebody who is here for a link.</p>
        <Button look="main">I have a link</Button>
      </>
    ),
  },
};
