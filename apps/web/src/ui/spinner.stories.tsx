import type { Meta, StoryObj } from '@storybook/react-vite';
import { Spinner } from './spinner.tsx';

export default { component: Spinner } satisfies Meta<typeof Spinner>;

export const Late: StoryObj<typeof Spinner> = { args: { label: 'Opening …' } };
