import type { AccountId } from '@sotto/contract/ids';
import { createContext } from 'react';

/** Leads to the page of somebody who is named in a message. Absent: names are words like all others. */
export const OpenPerson = createContext<((account: AccountId) => void) | undefined>(undefined);
