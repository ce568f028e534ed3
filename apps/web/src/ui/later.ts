import { lazy } from 'react';
import type { ComponentType } from 'react';
import { orReload } from '../platform/replaced.ts';

/** A component of that name whose code is loaded when it is drawn for the first time. */
export const later = <Props, Name extends string>(
  load: () => Promise<Readonly<Record<Name, ComponentType<Props>>>>,
  name: Name,
) => lazy(async () => ({ default: (await load().catch(orReload))[name] }));
