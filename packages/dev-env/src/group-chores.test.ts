import { withRequests } from '@sotto/engine/groups/requests';
import type { GroupRow, RequestRow } from '@sotto/engine/rows';
import { expect, it } from 'vitest';

const GROUP = 'GGGGGGGGGGGGGGGGGGGGGA';

it('requests that nobody has checked displace none that somebody has', () => {
  const requestOf = (id: number, checked: boolean) =>
    ({ id: `${id}`, ...(checked && { checked }) }) as RequestRow;
  const checked = Array.from({ length: 150 }, (_, n) => requestOf(n, true));
  const claimed = Array.from({ length: 300 }, (_, n) => requestOf(1000 + n, false));
  const { requests } = withRequests({ group: GROUP } as GroupRow, [...checked, ...claimed]);
  expect(requests).toEqual([...checked, ...claimed.slice(-200)]);
});
