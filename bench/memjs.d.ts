declare module 'memjs' {
  /** The part of memjs that the bench calls; it has no types of its own. */
  export class Client {
    static create(servers: string): Client
    get(key: string): Promise<{ value: Buffer | null }>
    set(key: string, value: Buffer, options: { expires: number }): Promise<boolean>
    close(): void
  }
}
