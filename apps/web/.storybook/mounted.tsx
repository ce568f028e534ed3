import type { Decorator } from '@storybook/react-vite';
import { useEffect, useState } from 'react';

/** Draws the story once the ground is there: popups put themselves into its landmark. */
export const Mounted: Decorator = (Story) => {
  const [there, setThere] = useState(false);
  useEffect(() => setThere(true), []);
  return <div>{there && <Story />}</div>;
};
