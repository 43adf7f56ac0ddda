/** `stack schema`: the form of the stack file, for editors. */
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import { stackJsonSchema } from '../../edge/stack-file/json-schema.ts';

export function printSchema(): void {
  process.stdout.write(`${JSON.stringify(stackJsonSchema(SERVICE_KIND_TABLE), null, 2)}\n`);
}
