/** Prints a table, its first column to the left and the others to the right. */
export function printTable(rows: ReadonlyArray<readonly (string | number)[]>): void {
  const texts = rows.map((row) => row.map(String))
  const widths = texts[0]!.map((_, column) => Math.max(...texts.map((row) => row[column]!.length)))
  for (const row of texts) {
    const cells = row.map((text, column) =>
      column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!),
    )
    console.log(cells.join('   '))
  }
}
