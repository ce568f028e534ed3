import { until, type Resident, type World, type Wrap } from './world.ts';

/** Puts another device on the account of `old`. Resolves when it is there and has been told what it needs. */
export const addDevice = async (world: World, old: Resident, wrap?: Wrap): Promise<Resident> => {
  const fresh = await world.newcomer(wrap);
  const offer = await fresh.engine.offerDevice();
  const proposal = await old.engine.addDevice(offer);
  const acceptance = await fresh.engine.acceptProposal(proposal);
  await old.engine.confirmDevice(acceptance);
  fresh.engine.nudge();
  await until(fresh.engine, ({ phase }) => phase === 'ready', 'the new device');
  return fresh;
};
