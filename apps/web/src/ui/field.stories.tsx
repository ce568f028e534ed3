import type { Meta, StoryObj } from '@storybook/react-vite';
import { Field } from './field.tsx';

export default { component: Field, args: { label: 'Handle', prefix: '@' } } satisfies Meta<typeof Field>;
type Story = StoryObj<typeof Field>;

export const Empty: Story = { args: { hint: 'Letters, digits and _.' } };
export const Filled: Story = { args: { defaultValue: 'mara_lind' } };
export const WithProblem: Story = {
  args: { defaultValue: 'Mara Lind', problem: 'A handle has no spaces.' },
};
export const Disabled: Story = { args: { defaultValue: 'mara_lind', disabled: true } };
