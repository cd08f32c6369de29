import { randomBytes } from 'node:crypto';
import { UserError } from 'taskwright';
import { z } from 'zod';
import { DATABASES } from './layout.ts';

/** What the guide prints for everybody is no secret to hide in other texts: a folder may be named `infrahub`. */
const secretOf = (guides: string): { secret: true; examples: string[] } => ({ secret: true, examples: [guides] });

/** The guide's settings file, from one schema: what it writes, what it checks, what it shows. */
export const guideVariables = {
  INFRAHUB_PRODUCTION: z.boolean().describe('false: the server logs readable text, true: JSON'),
  INFRAHUB_SECURITY_SECRET_KEY: z.string().min(1).meta(secretOf('super-secret')).describe('signs tokens'),
  INFRAHUB_SDK_USERNAME: z.string().min(1).describe('user of the client library and infrahubctl'),
  INFRAHUB_SDK_PASSWORD: z.string().min(1).meta(secretOf('infrahub')).describe('and its password'),
  INFRAHUB_SDK_TIMEOUT: z.int().min(1).describe('whole seconds'),
  INFRAHUB_METRICS_PORT: z
    .int()
    .min(1)
    .max(65535)
    .refine((port) => port !== 8000, 'expected another port than the server, which has 8000')
    .describe('port of the metrics; 8000 is the server'),
  INFRAHUB_DB_TYPE: z.enum(DATABASES).describe('database of server and tasks alike'),
  INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits, as `openssl rand -hex 16` gives')
    .meta({ secret: true })
    .describe('the admin token at first start; empty, there is none'),
  INFRAHUB_STORAGE_LOCAL_PATH: z.string().min(1).describe('a folder that can be written'),
};
export type GuideVariable = keyof typeof guideVariables;
export const GUIDE_VARIABLES = Object.keys(guideVariables) as readonly GuideVariable[];

/** The same names, each as the text it is. */
export const guideTexts: { readonly [Name in GuideVariable]: z.ZodOptional<z.ZodString> } = {
  INFRAHUB_PRODUCTION: z.string().optional(),
  INFRAHUB_SECURITY_SECRET_KEY: z.string().optional().meta(secretOf('super-secret')),
  INFRAHUB_SDK_USERNAME: z.string().optional(),
  INFRAHUB_SDK_PASSWORD: z.string().optional().meta(secretOf('infrahub')),
  INFRAHUB_SDK_TIMEOUT: z.string().optional(),
  INFRAHUB_METRICS_PORT: z.string().optional(),
  INFRAHUB_DB_TYPE: z.string().optional(),
  INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN: z.string().optional().meta({ secret: true }),
  INFRAHUB_STORAGE_LOCAL_PATH: z.string().optional(),
};

export interface GuideChoices {
  readonly database: (typeof DATABASES)[number];
  readonly storage: string;
}

/** The guide's values; the admin token, which the guide leaves empty, is a new random one. */
export function guideValues({ database, storage }: GuideChoices): { readonly [Name in GuideVariable]: string } {
  return {
    INFRAHUB_PRODUCTION: 'false',
    INFRAHUB_SECURITY_SECRET_KEY: 'super-secret',
    INFRAHUB_SDK_USERNAME: 'admin',
    INFRAHUB_SDK_PASSWORD: 'infrahub',
    INFRAHUB_SDK_TIMEOUT: '20',
    INFRAHUB_METRICS_PORT: '8001',
    INFRAHUB_DB_TYPE: database,
    INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN: randomBytes(16).toString('hex'),
    INFRAHUB_STORAGE_LOCAL_PATH: storage,
  };
}

/** Lines that bash, direnv and dotenv read alike. */
export function renderSettings(values: { readonly [Name in GuideVariable]: string }): string {
  const lines = GUIDE_VARIABLES.map((name) => `# ${guideVariables[name].description ?? ''}\nexport ${name}=${quoted(values[name])}`);
  return `# Settings of the backend guide. It holds secrets: keep it to yourself.\n\n${lines.join('\n')}\n`;
}

function quoted(value: string): string {
  if (/^[\w./:@%+-]+$/.test(value)) return value;
  if (!value.includes("'")) return `'${value}'`;
  if (!/["$`\\\n]/.test(value)) return `"${value}"`;
  throw new UserError('settings', `${value} cannot be written so that bash and dotenv read it alike`, 1, {
    facts: ['it has a single quote, and a double quote, dollar sign, backquote, backslash or line break as well'],
    hint: 'Name another folder: `--storage`.',
  });
}
