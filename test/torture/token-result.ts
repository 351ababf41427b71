/** What came of a torture of tokens: what was counted, and what should not be. */
export interface TokenResult {
  figures: Readonly<Record<string, number>>
  wrong: string[]
}
