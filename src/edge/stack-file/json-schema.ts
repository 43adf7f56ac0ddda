/** The JSON Schema of the stack file, for editors: from the same shapes that read it. */
import type { KindSettings } from './service-shape.ts';
import type { JsonSchema } from './shape.ts';
import { sectionsSchema } from './stack-shape.ts';

export function stackJsonSchema(kinds: KindSettings): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Fullchain stack file',
    description: 'The services of a host that are to have TLS, who issues for them, and who may talk to them.',
    ...sectionsSchema(kinds),
  };
}
