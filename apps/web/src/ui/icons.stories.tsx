import type { Meta, StoryObj } from '@storybook/react-vite';
import * as icons from './icons.tsx';

const All = () => (
  <div className="story-icons">
    {Object.entries(icons).map(([name, Icon]) => (
      <Icon key={name} open={false} />
    ))}
  </div>
);

export default { component: All } satisfies Meta<typeof All>;

export const Every: StoryObj<typeof All> = {};
