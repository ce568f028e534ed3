import type { Meta, StoryObj } from '@storybook/react-vite';
import { useState } from 'react';
import { SearchField } from './search-field.tsx';

const Search = ({ first }: { first: string }) => {
  const [value, setValue] = useState(first);
  return <SearchField label="Search" clear="Clear search" value={value} onChange={setValue} />;
};

export default { component: Search } satisfies Meta<typeof Search>;
type Story = StoryObj<typeof Search>;

export const Empty: Story = { args: { first: '' } };
export const Filled: Story = { args: { first: 'tent' } };
