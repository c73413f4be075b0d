/**
 * The schema of state files in Protocol Buffers, as a descriptor, so that no code is generated. `docs/state-file.proto` is the same in
 * proto's own language, for everybody else; a test holds the two together.
 */
import { create, createFileRegistry } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';

const packageName = 'vivarium.state.v1';

/** A field: its number, `repeated` or not, and a scalar or the name of a message. */
interface FieldSpec {
  readonly number: number;
  readonly type: 'string' | 'bytes' | 'uint32' | 'double' | 'bool' | (string & {});
  readonly isRepeated?: boolean;
  readonly oneof?: 'kind';
}

const one = (number: number, type: FieldSpec['type']): FieldSpec => ({ number, type });
const many = (number: number, type: FieldSpec['type']): FieldSpec => ({ number, type, isRepeated: true });
const kind = (number: number, type: FieldSpec['type']): FieldSpec => ({ number, type, oneof: 'kind' });

/** Messages by name, fields by name. */
const messages: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>> = {
  StateFile: {
    magic: one(1, 'string'),
    version: one(2, 'uint32'),
    kind: one(3, 'string'),
    versions: many(4, 'Version'),
    checksum: one(5, 'string'),
    state: one(6, 'Value'),
  },
  Version: { name: one(1, 'string'), version: one(2, 'string') },
  Value: {
    null: kind(1, 'Empty'),
    boolean: kind(2, 'bool'),
    number: kind(3, 'double'),
    text: kind(4, 'string'),
    list: kind(5, 'List'),
    object: kind(6, 'Object'),
    undefined: kind(7, 'Empty'),
    integer: kind(8, 'string'),
    time: kind(9, 'double'),
    map: kind(10, 'List'),
    set: kind(11, 'List'),
    binary: kind(12, 'Binary'),
  },
  Empty: {},
  List: { items: many(1, 'Value') },
  Object: { entries: many(1, 'Entry') },
  Entry: { key: one(1, 'string'), value: one(2, 'Value') },
  Binary: { type: one(1, 'string'), bytes: one(2, 'bytes') },
};

const scalars: Readonly<Record<string, Type>> = {
  string: Type.STRING,
  bytes: Type.BYTES,
  uint32: Type.UINT32,
  double: Type.DOUBLE,
  bool: Type.BOOL,
};

function fieldOf(name: string, spec: FieldSpec): Record<string, unknown> {
  const { number, type, isRepeated = false, oneof } = spec;
  const scalar = scalars[type];
  return {
    name,
    jsonName: name,
    number,
    label: isRepeated ? Label.REPEATED : Label.OPTIONAL,
    type: scalar ?? Type.MESSAGE,
    ...(scalar === undefined ? { typeName: `.${packageName}.${type}` } : {}),
    ...(oneof === undefined ? {} : { oneofIndex: 0 }),
  };
}

/** The file as `protoc` would describe it. */
export const stateFileDescriptor: FileDescriptorProto = create(FileDescriptorProtoSchema, {
  name: 'state-file.proto',
  package: packageName,
  syntax: 'proto3',
  messageType: Object.entries(messages).map(([name, fields]) => ({
    name,
    field: Object.entries(fields).map(([fieldName, spec]) => fieldOf(fieldName, spec)),
    oneofDecl: Object.values(fields).some(({ oneof }) => oneof) ? [{ name: 'kind' }] : [],
  })),
});

const registry = createFileRegistry(stateFileDescriptor, () => undefined);

/** The message that a file is. */
export const stateFileMessage: DescMessage = registry.getMessage(`${packageName}.StateFile`) as DescMessage;
