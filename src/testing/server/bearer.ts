/** The token of an `Authorization: Bearer` header (RFC 6750 section 2.1). */
export function bearerToken(header: string | undefined): string | undefined {
  return /^bearer ([\w.~+/=-]+)$/i.exec(header ?? '')?.[1]
}
