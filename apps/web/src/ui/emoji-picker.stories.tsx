import type { Meta, StoryObj } from '@storybook/react-vite';
import { Mounted } from '../../.storybook/mounted.tsx';
import { EmojiPicker } from './emoji-picker.tsx';

export default {
  component: EmojiPicker,
  decorators: [Mounted],
  args: {
    place: { x: 40, y: 480 },
    onChoose: () => undefined,
    onClose: () => undefined,
    focusAfter: () => null,
  },
} satisfies Meta<typeof EmojiPicker>;

export const Open: StoryObj<typeof EmojiPicker> = {};
