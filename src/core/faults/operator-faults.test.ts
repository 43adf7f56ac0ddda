import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATOR_FAULTS, OperatorFault, type OperatorFaultCode, remedyOf } from './operator-faults.ts';

test('no fault lacks a remedy in words and a command to run next (B5.3)', () => {
  for (const [code, row] of Object.entries(OPERATOR_FAULTS)) {
    assert.match(row.remedy, /^[A-Z].{15,}\.$/s, code);
    assert.ok(row.command.length > 3, code);
  }
});

test('a remedy carries the facts of its fault, and leaves an unknown place visible', () => {
  const fault = new OperatorFault('port-in-use', 'port 9000 is taken', { port: 9000 });
  assert.deepEqual(remedyOf(fault), {
    text: OPERATOR_FAULTS['port-in-use'].remedy,
    command: "ss -ltnp 'sport = :9000'",
  });
  assert.equal(remedyOf(new OperatorFault('port-in-use', 'x')).command, "ss -ltnp 'sport = :{port}'");
});

test('codes are stable words', () => {
  for (const code of Object.keys(OPERATOR_FAULTS) as OperatorFaultCode[]) assert.match(code, /^[a-z]+(-[a-z]+)*$/);
});
