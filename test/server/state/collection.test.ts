import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { CollectionDefinition } from '../../../src/server/state/collection.ts';
import { openedState, temporaryFolder, temporaryState } from './support.ts';

interface Pet {
  readonly id: string;
  readonly name: string;
  readonly toys: readonly string[];
}

const PETS: CollectionDefinition<Pet, 'name' | 'toy'> = {
  name: 'pets',
  noun: 'pet',
  version: 1,
  schema: z.object({ id: z.string(), name: z.string(), toys: z.array(z.string()) }),
  indexes: {
    name: { valuesOf: ({ name }) => [name], takenMessage: ({ name }) => `${name} is taken.` },
    toy: { valuesOf: ({ toys }) => toys },
  },
};

const REX: Pet = { id: '1', name: 'Rex', toys: ['ball', 'bone'] };
const TOM: Pet = { id: '2', name: 'Tom', toys: ['ball'] };

describe('a collection', () => {
  test('finds records by id and by each indexed value, and forgets old values', async () => {
    const pets = (await temporaryState()).collection(PETS);
    pets.insert(REX);
    pets.insert(TOM);
    expect(pets.find('toy', 'ball')).toEqual([REX, TOM]);
    expect(pets.findOne('name', 'Tom')).toEqual(TOM);
    pets.update('1', (pet) => ({ ...pet, name: 'Max', toys: ['bone'] }));
    expect(pets.findOne('name', 'Rex')).toBeNull();
    expect(pets.find('toy', 'ball')).toEqual([TOM]);
    expect(pets.remove('2')).toBe(true);
    expect(pets.remove('2')).toBe(false);
    expect(pets.find('toy', 'ball')).toEqual([]);
    expect(pets.all()).toEqual([{ ...REX, name: 'Max', toys: ['bone'] }]);
  });

  test('does not take a value for the beginning of another, nor one with a separator in it', async () => {
    const pets = (await temporaryState()).collection(PETS);
    pets.insert({ ...REX, toys: ['ball\u0000', 'balls', ''] });
    expect(pets.find('toy', 'ball')).toEqual([]);
    expect(pets.find('toy', 'ball\u0000')).toHaveLength(1);
    expect(pets.find('toy', '')).toHaveLength(1);
  });

  test('refuses a second record with a value that one may have, and stores nothing of it', async () => {
    const pets = (await temporaryState()).collection(PETS);
    pets.insert(REX);
    const { revision } = pets;
    expect(() => pets.insert({ ...TOM, name: 'Rex' })).toThrow(
      expect.objectContaining({ code: 'ALREADY_EXISTS', field: 'name', message: 'Rex is taken.' }),
    );
    expect(() => pets.insert(REX)).toThrow(expect.objectContaining({ code: 'ALREADY_EXISTS' }));
    expect(pets.all()).toEqual([REX]);
    expect(pets.find('toy', 'ball')).toEqual([REX]);
    expect(pets.revision).toBe(revision);
    // Its own value is not taken from it.
    expect(pets.put({ ...REX, toys: [] }).toys).toEqual([]);
  });

  test('says what is missing, and takes no value that is too long to be found', async () => {
    const pets = (await temporaryState()).collection(PETS);
    const long = 'x'.repeat(3000);
    expect(() => pets.require('9')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(pets.get(long)).toBeNull();
    expect(pets.find('name', long)).toEqual([]);
    expect(() => pets.insert({ ...REX, name: long })).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELD', field: 'name' }),
    );
    expect(pets.isEmpty).toBe(true);
  });

  test('upgrades records of an older version, and refuses those of a newer one', async () => {
    const folder = await temporaryFolder();
    const state = await openedState(folder);
    state.collection(PETS).insert(REX);
    const newer = state.collection<Pet & { legCount: number }, never>({
      ...PETS,
      version: 2,
      schema: z.object({
        id: z.string(),
        name: z.string(),
        toys: z.array(z.string()),
        legCount: z.number(),
      }),
      indexes: {},
      upgrade: (stored) => ({ ...(stored as Pet), legCount: 4 }),
    });
    expect(newer.get('1')).toEqual({ ...REX, legCount: 4 });
    newer.update('1', (pet) => ({ ...pet, legCount: 3 }));
    expect(newer.require('1').legCount).toBe(3);
    expect(() => state.collection(PETS).get('1')).toThrow(
      expect.objectContaining({ code: 'STATE_FORMAT_UNSUPPORTED' }),
    );
  });

  test('that is followed says what changed since, and when that is not known any more', async () => {
    const state = await temporaryState();
    const followed = state.collection({ ...PETS, isFollowed: true });
    const start = followed.revision;
    expect(followed.changesSince(start)).toEqual({ ids: [], revision: start });
    followed.insert(REX);
    const first = followed.revision;
    followed.insert(TOM);
    followed.update('1', (pet) => ({ ...pet, toys: [] }));
    followed.remove('2');
    const last = followed.revision;
    expect(followed.changesSince(first)).toEqual({ ids: ['2', '1', '2'], revision: last });
    expect(followed.changesSince(last)).toEqual({ ids: [], revision: last });
    let failed = '';
    expect(() =>
      state.write(() => {
        followed.insert(TOM);
        failed = followed.revision;
        throw new Error('no');
      }),
    ).toThrow('no');
    followed.insert({ ...TOM, id: '3' });
    // The revision that never was has the number of the one that is.
    expect(failed.split(' ')[0]).toBe(followed.revision.split(' ')[0]);
    expect(followed.changesSince(failed)).toBeNull();
    state.write(() => {
      for (let i = 0; i < 10_001; i++) followed.update('3', (pet) => pet);
    });
    expect(followed.changesSince(last)).toBeNull();
    expect(followed.changesSince(followed.revision)).toMatchObject({ ids: [] });
  });

  test('stores nothing of a transaction that fails, and never shows its revision again', async () => {
    const state = await temporaryState();
    const pets = state.collection(PETS);
    pets.insert(REX);
    let failedRevision = '';
    expect(() =>
      state.write(() => {
        pets.insert(TOM);
        state.audit.append(entryOf('pet.add'));
        failedRevision = pets.revision;
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(pets.all()).toEqual([REX]);
    expect(state.audit.page({ limit: 10 }).entries).toEqual([]);
    pets.insert(TOM);
    expect(pets.revision).not.toBe(failedRevision);
  });
});

function entryOf(
  action: string,
): Parameters<Awaited<ReturnType<typeof temporaryState>>['audit']['append']>[0] {
  return {
    atMs: 0,
    actor: { kind: 'user', userId: null, name: 'x', address: null },
    action,
    target: { kind: 'pet', id: '2', name: null },
    before: null,
    after: null,
  };
}
