import { z } from 'zod';
import { task } from '../lib/task.ts';
import type { Task } from '../lib/task.ts';

export const image = task({
  summary: 'x',
  input: { tag: z.string().default('local').describe('image tag'), noCache: z.boolean().default(false) },
  output: z.object({ reference: z.string() }),
  async run({ input, $ }) {
    await $`docker build --tag app:${input.tag} ${input.noCache ? ['--no-cache'] : []} .`;
    return { reference: `app:${input.tag}` };
  },
});
export const plain = task({ summary: 'p', run: () => 5 });
export const nothing = task({ summary: 'p' });
export const req = task({ summary: 'r', input: { a: z.string() }, run: ({ input }) => input.a.length });
export const deploy = task({
  summary: 'd',
  input: { target: z.enum(['staging', 'production']) },
  env: { DEPLOY_TOKEN: z.string().min(20).meta({ secret: true }) },
  needs: ({ input }) => ({ built: image({ tag: input.target }), plain, maybe: input.target === 'staging' ? plain : undefined }),
  confirm: ({ input }) => (input.target === 'production' ? 'Deploy?' : undefined),
  timeout: '10m',
  async run({ input, needs, env, $ }) {
    const r: string = needs.built.reference;
    const p: number = needs.plain;
    const m: number | undefined = needs.maybe;
    const t: string = env.DEPLOY_TOKEN;
    await $`./deploy.sh ${input.target} ${needs.built.reference} ${t} ${p} ${m ?? 0} ${r}`;
    return { url: new URL('http://x').href };
  },
});
export const arr = task({ summary: 'a', needs: [image, plain(), req({ a: 'x' })], run: ({ needs }) => { const [a, b, c] = needs; return a.reference + b.toFixed() + c.toFixed(); } });
export const rec = task({ summary: 'a', needs: { image, q: req({ a: 'x' }) }, run: ({ needs }) => needs.image.reference + needs.q.toFixed() });
export const obj = task({ summary: 'o', input: z.object({ a: z.string().optional(), b: z.int().default(3) }).refine((v) => v.b > 1), run: ({ input }) => input.b });
export const utd = task({ summary: 'o', upToDate: () => ({ reason: 'x', output: 5 }), run: () => 5 });
export const utd2 = task({ summary: 'o', upToDate: () => 'yes', run: () => {} });
const x: Task<{ tag?: string; noCache?: boolean }, { reference: string }> = image;
// @ts-expect-error
task({ summary: 'x', needs: { req }, run() {} });
// @ts-expect-error
req();
// @ts-expect-error
req({ a: 1 });
// @ts-expect-error
task({ summary: 'x', output: z.object({ a: z.string() }), run: () => ({ a: 1 }) });
// @ts-expect-error
task({ summary: 'x', timeout: 5, run() {} });
task({ summary: 'x', needs: { image }, run({ needs }) {
  // @ts-expect-error
  needs.imag;
  // @ts-expect-error
  needs.image.ref;
} });
// @ts-expect-error
image({ tga: 'x' });
void x;
