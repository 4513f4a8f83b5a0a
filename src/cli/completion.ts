import { Argument, type Command } from "commander";
import { type CommandHost, makeCommand, onRun } from "./command.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

type Shell = (typeof SHELLS)[number];

/** `tsvene completion`: what a shell needs to complete command lines. */
export function completionCommand(host: CommandHost, program: Command): Command {
  const command = makeCommand({
    name: "completion",
    summary: "Write a script for a shell's completion",
    examples: [
      ["completion bash >> ~/.bashrc", "For bash"],
      ['completion zsh > "${fpath[1]}/_tsvene"', "For zsh"],
      ["completion fish > ~/.config/fish/completions/tsvene.fish", "For fish"],
    ],
  }).addArgument(new Argument("<shell>", "the shell").choices(SHELLS));
  return onRun(command, host, async (_, shell: Shell) => {
    const script = SCRIPTS[shell](commandsOf(program));
    return { json: { shell, script }, text: () => script };
  });
}

/** A command as completion needs it. */
interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly flag: string; readonly description: string }[];
  /** Words that its first argument is one of. */
  readonly words: readonly string[];
}

function commandsOf(program: Command): readonly Completed[] {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary(),
    options: [
      ...command.options.map(({ long, description }) => ({ flag: long ?? "", description })),
      { flag: "--help", description: "write this help" },
    ],
    words: command.registeredArguments[0]?.argChoices ?? [],
  }));
}

/** In single quotes of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const SCRIPTS: { readonly [S in Shell]: (commands: readonly Completed[]) => string } = {
  bash: (commands) => {
    const names = commands.map(({ name }) => name).join(" ");
    const cases = commands.map(
      ({ name, options, words }) =>
        `    ${name}) words="${[...words, ...options.map(({ flag }) => flag)].join(" ")}" ;;`,
    );
    return `_tsvene() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  case "\${COMP_CWORD}:\${COMP_WORDS[1]}" in
    1:*) words="${names} help --help --version" ;;
${cases.map((line) => line.replace(/^( {4})/, "$1*:")).join("\n")}
    *:help) words="${names}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $current == -* || $COMP_CWORD == 1 ]] || COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _tsvene tsvene`;
  },
  zsh: (commands) => {
    const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
    const cases = commands.map(({ name, options, words }) => {
      const flags = options.map(({ flag, description }) =>
        quoted(`${flag}[${description.replaceAll(/[[\]:]/g, "\\$&")}]`),
      );
      const first = words.length === 0 ? "'*:file:_files'" : quoted(`1:word:(${words.join(" ")})`);
      return `    ${name}) _arguments ${[...flags, first].join(" ")} ;;`;
    });
    return `#compdef tsvene
_tsvene() {
  local -a commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
compdef _tsvene tsvene`;
  },
  fish: (commands) =>
    commands
      .flatMap(({ name, summary, options, words }) => [
        `complete -c tsvene -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
        ...options.map(({ flag, description }) => {
          const when = quoted(`__fish_seen_subcommand_from ${name}`);
          return `complete -c tsvene -n ${when} -l ${flag.slice(2)} -d ${quoted(description)}`;
        }),
        ...(words.length === 0
          ? []
          : [
              `complete -c tsvene -n ${quoted(`__fish_seen_subcommand_from ${name}`)} -f -a ${quoted(words.join(" "))}`,
            ]),
      ])
      .join("\n"),
};
