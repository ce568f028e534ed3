import type { Meta, StoryObj } from '@storybook/react-vite';
import { Coming } from './coming.tsx';

export default { component: Coming } satisfies Meta<typeof Coming>;

export const Late: StoryObj<typeof Coming> = {};
