/** The version of this library, as package.json has it; what is saved says what saved it. */
export const libraryVersion: string = '0.1.0';
