/** Which of the shell's dialogs is open. */
let open = $state<"palette" | "help" | null>(null);

export function shellDialog(): "palette" | "help" | null {
  return open;
}

export function openPalette(): void {
  open = "palette";
}

export function openHelp(): void {
  open = "help";
}

export function closeShellDialog(): void {
  open = null;
}
