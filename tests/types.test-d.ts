// What must and what must not compile. Checked by `tsc`; nothing here runs.
import type { RunningCommand, Task } from 'taskwright';
import { plan, run, start, task, withFlags } from 'taskwright';
import { createCli } from 'taskwright/cli';
import { testTask } from 'taskwright/testing';
import { z } from 'zod';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(..._proof: Equal<A, B> extends true ? [] : ['not the same', A, B]): void => {};

// ── Declaring: no annotation is asked of the author ──────────────────────────────────────────────

const image = task({
  summary: 'Build the image.',
  input: { tag: z.string().default('local'), noCache: z.boolean().default(false) },
  output: z.object({ reference: z.string(), built: z.string().transform((text) => new Date(text)) }),
  async run({ input, $ }) {
    same<typeof input, { tag: string; noCache: boolean }>();
    const command: RunningCommand = $`docker build --tag app:${input.tag} ${input.noCache ? ['--no-cache'] : []} .`;
    await command;
    return { reference: `app:${input.tag}`, built: '2026-11-24' };
  },
});
const count = task({ summary: 'Count.', run: () => 5 });
const length = task({ summary: 'Measure.', input: { text: z.string() }, run: ({ input }) => input.text.length });
const effect = task({ summary: 'Do.', async run() {} });
const group = task({ summary: 'Both.', needs: [count, effect] });
const refined = task({
  summary: 'An object with a rule.',
  input: z.object({ from: z.int().default(1), to: z.int() }).refine((range) => range.from <= range.to),
  run({ input }) {
    same<typeof input, { from: number; to: number }>();
  },
});

// What a task takes is the schemas' input side, what it gives their output side.
same<typeof image, Task<{ tag?: string | undefined; noCache?: boolean | undefined }, { reference: string; built: Date }>>();
same<typeof count, Task<Readonly<Record<string, never>>, number>>();
same<typeof length, Task<{ text: string }, number>>();
same<typeof effect, Task<Readonly<Record<string, never>>, void>>();
same<typeof group, Task<Readonly<Record<string, never>>, void>>();
same<typeof refined, Task<{ to: number; from?: number | undefined }, void>>();

// ── Needs: a record, an array, a function, `undefined` ───────────────────────────────────────────

task({
  summary: 'A record.',
  needs: { image, size: length({ text: 'x' }), maybe: undefined },
  run({ needs }) {
    same<typeof needs.image.reference, string>();
    same<typeof needs.size, number>();
    same<typeof needs.maybe, undefined>();
    // @ts-expect-error there is no such need
    void needs.imag;
    // @ts-expect-error `image` gives no such value: a changed output breaks its consumer here
    void needs.image.digest;
  },
});
task({
  summary: 'An array.',
  needs: [image, count(), length({ text: 'x' })],
  run({ needs: [built, number, size] }) {
    same<typeof built.built, Date>();
    same<typeof number, number>();
    same<typeof size, number>();
  },
});
task({
  summary: 'A function of the input.',
  input: { fast: z.boolean().default(false), tag: z.string() },
  needs: ({ input }) => ({ built: image({ tag: input.tag }), checked: input.fast ? undefined : count() }),
  run({ needs }) {
    same<typeof needs.built.reference, string>();
    same<typeof needs.checked, number | undefined>();
  },
});

// @ts-expect-error `length` has a required input: it cannot stand in needs without a call
task({ summary: 'A bare task that must be called.', needs: { length }, run() {} });
// @ts-expect-error a need is a task or a call
task({ summary: 'No need at all.', needs: { five: 5 }, run() {} });

// ── Calls ────────────────────────────────────────────────────────────────────────────────────────

image();
image({ tag: 'x' });
// @ts-expect-error a required input is missing
length();
// @ts-expect-error a required input is missing
length({});
// @ts-expect-error wrong type
length({ text: 5 });
// @ts-expect-error unknown input
image({ tga: 'x' });
// @ts-expect-error it takes none
count({ much: 1 });

const called = async (): Promise<void> => {
  same<Awaited<ReturnType<typeof run<{ text: string }, number>>>, number>();
  const built = await run(image, { tag: 'x' });
  same<typeof built, { reference: string; built: Date }>();
  same<number, Awaited<ReturnType<typeof runCount>>>();
  // @ts-expect-error a required input is missing
  await run(length);
  // @ts-expect-error wrong type
  await run(length, { text: 5 });
};
const runCount = () => run(count);
const deploy = task({ summary: 'Deploy.', input: { to: z.enum(['staging', 'production']) }, run: ({ input }) => input.to });
const site = task({ summary: 'Serve.', service: { ready: {} }, run: () => ({ port: 1 }) });
/** What is given is checked by the task, and does not change what the task is taken for. */
const inferred = async (): Promise<void> => {
  await run(deploy, { to: 'staging' });
  await plan(deploy, { to: 'staging' });
  await testTask(deploy, { input: { to: 'staging' } });
  // @ts-expect-error none of its words
  await run(deploy, { to: 'nowhere' });
  // @ts-expect-error a required input is missing
  await plan(deploy);
  await using service = await start(site);
  same<typeof service.output, { port: number }>();
};
void inferred;
void called;

task({
  summary: 'Calls at run time are typed as well.',
  async run({ call }) {
    same<typeof size, number>();
    const size = await call(length, { text: 'x' });
    const built = await call(image);
    await call(deploy, { to: 'staging' });
    same<typeof built.reference, string>();
    // @ts-expect-error a required input is missing
    await call(length);
  },
});

// ── Output and other fields ──────────────────────────────────────────────────────────────────────

// @ts-expect-error the body must return what the output accepts
task({ summary: 'Wrong value.', output: z.object({ a: z.string() }), run: () => ({ a: 1 }) });
// @ts-expect-error the body must return something
task({ summary: 'No value.', output: z.object({ a: z.string() }), run() {} });
// @ts-expect-error a length of time has a unit
task({ summary: 'Bare number.', timeout: 30, run() {} });
// @ts-expect-error an up-to-date task hands over its value as well
task({ summary: 'No value when up to date.', upToDate: () => 'nothing changed', run: () => 5 });
task({ summary: 'Up to date.', upToDate: () => ({ reason: 'nothing changed', output: 5 }), run: () => 5 });
task({ summary: 'Up to date.', upToDate: () => 'nothing changed', run() {} });
// @ts-expect-error a flag letter is a string
z.string().meta({ short: 1 });
// @ts-expect-error no such thing can be said
task({ summary: 'Unknown field.', dependsOn: [image], run() {} });

task({
  summary: 'Variables are typed.',
  env: { PORT: z.coerce.number(), TOKEN: z.string().optional() },
  run({ env }) {
    same<typeof env, { PORT: number; TOKEN?: string | undefined }>();
  },
});

task({
  summary: 'A service hands its output to `ready`.',
  service: { ready: ({ output }) => ({ port: output.port }) },
  run: () => ({ port: 8000 }),
});
// Where the body looks at its context and no schema says what it gives, it stands first: a literal is read from top to bottom.
task({
  summary: 'A service without a schema for its output.',
  input: { port: z.int() },
  async run({ input, $ }) {
    void $`sleep ${input.port}`;
    return { port: input.port };
  },
  service: { ready: ({ output }) => ({ port: output.port }), stop: ({ output, $ }) => $`echo ${output.port}` },
});
task({
  summary: 'The same, the other way round.',
  input: { port: z.int() },
  // @ts-expect-error what the body gives is not known yet
  service: { ready: ({ output }) => ({ port: output.port }) },
  run: ({ input }) => ({ port: input.port }),
});
// What a service does not look at is inferred, whatever stands first: its users get what the body gives.
const served = {
  still: task({ summary: 'A service.', service: { ready: { port: 1 } }, run: async ({ cwd }) => ({ url: cwd }) }),
  below: task({ summary: 'A service.', run: ({ cwd }) => ({ url: cwd }), service: { ready: {} } }),
  looking: task({
    summary: 'A service that looks at its input.',
    input: { port: z.int().default(1) },
    service: {
      ready: ({ input }) => ({ port: input.port }),
      adopt: ({ input }) => ({ url: `${input.port}` }),
      stop: ({ input, $ }) => $`echo ${input.port}`,
    },
    run: ({ input }) => ({ url: `${input.port}` }),
  }),
  needing: task({
    summary: 'A service with needs.',
    needs: { length: length({ text: 'x' }) },
    service: { ready: { check: async () => true }, restart: 'always', stop: ({ $ }) => $`docker stop x` },
    run: async ({ needs }) => ({ url: `${needs.length}` }),
  }),
  parsed: task({
    summary: 'A service with a schema.',
    output: z.object({ url: z.string().default('x') }),
    service: { ready: ({ output }) => ({ http: output.url }) },
    run: ({ cwd }) => ({ url: cwd }),
  }),
  silent: task({
    summary: 'A service that gives nothing.',
    service: { ready: ({ input }) => ({ log: String(input) }) },
    run({ $ }) {
      void $`sleep 1`;
    },
  }),
};
task({
  summary: 'Use them.',
  needs: served,
  async run({ needs, call }) {
    type Url = { url: string };
    same<
      typeof needs,
      {
        readonly still: Url;
        readonly below: Url;
        readonly looking: Url;
        readonly needing: Url;
        readonly parsed: Url;
        readonly silent: void;
      }
    >();
    const called = await call(served.looking, { port: 2 });
    same<typeof called, Url>();
    await using started = await start(served.looking);
    same<typeof started.output, Url>();
  },
});
// @ts-expect-error what is adopted is what the body would give
task({ summary: 'Another value.', service: { ready: {}, adopt: () => ({ url: 1 }) }, run: () => ({ url: 'x' }) });

task({
  summary: 'Options of commands.',
  run({ $ }) {
    // @ts-expect-error there is no such option of a command
    void $({ hide: true })`ls`;
  },
});

// ── Global flags: typed in the context and in all that looks at the input ────────────────────────

const acme = withFlags({ region: z.enum(['eu', 'us']).default('eu'), retries: z.int().optional() });
const ship = acme.task({
  summary: 'Ship.',
  input: { name: z.string() },
  needs: ({ input, flags }) => {
    same<typeof flags, { region: 'eu' | 'us'; retries?: number | undefined }>();
    return { size: length({ text: `${input.name}${flags.region}` }) };
  },
  lock: ({ flags }) => flags.region,
  service: { ready: ({ flags, output }) => ({ log: flags.region === 'eu' ? String(output) : 'ready' }) },
  output: z.number(),
  run({ flags, needs, input }) {
    same<typeof flags.region, 'eu' | 'us'>();
    same<typeof needs.size, number>();
    same<typeof input, { name: string }>();
    // @ts-expect-error there is no such flag
    void flags.regoin;
    return needs.size;
  },
});
same<typeof ship, Task<{ name: string }, number>>();
// They are no input: nobody gives them in a call.
// @ts-expect-error
ship({ name: 'x', region: 'eu' });
task({
  summary: 'Made without any.',
  run({ flags }) {
    // @ts-expect-error
    void flags.region;
  },
});
createCli({ name: 'acme', version: '1', flags: acme, config: { tasks: { ship } } });
// @ts-expect-error the flags, not their values
createCli({ name: 'acme', version: '1', flags: { region: 'eu' }, config: { tasks: { ship } } });
