using System.Globalization;

namespace Ccp.ScriptedUpstream;

/// <summary>What the executable was asked to do.</summary>
internal sealed record CommandLine
{
    public const string Help = """
        A scripted Anthropic Messages API on 127.0.0.1.

          --port N           0 (the default) takes a free port
          --delay-ms N       pause between the events of an answer
          --first-byte-ms N  pause before an answer begins
          --request-log FILE one JSON line per request, credentials as hashes; not under load

        Load: either of these answers every request alike and looks at nothing but "stream".
          --events N         deltas per stream, each with the nanosecond it was written
          --interval-ms M    between deltas
          --reply-bytes N    size of the answers that are not streamed

        """;

    public int Port { get; private init; }

    public TimeSpan EventDelay { get; private init; }

    public TimeSpan FirstByteDelay { get; private init; }

    public string? RequestLog { get; private init; }

    public int? Events { get; private init; }

    public TimeSpan Interval { get; private init; }

    public int? ReplyBytes { get; private init; }

    public bool IsLoad => Events is not null || ReplyBytes is not null;

    /// <exception cref="FormatException">Says what is wrong with the line.</exception>
    public static CommandLine Parse(string[] args)
    {
        var line = new CommandLine();
        for (var at = 0; at < args.Length; at += 2)
        {
            var (option, value) = (args[at], at + 1 < args.Length ? args[at + 1] : throw new FormatException($"{args[at]} needs a value."));
            line = option switch
            {
                "--port" => line with { Port = Number(option, value) },
                "--delay-ms" => line with { EventDelay = Milliseconds(option, value) },
                "--first-byte-ms" => line with { FirstByteDelay = Milliseconds(option, value) },
                "--request-log" => line with { RequestLog = value },
                "--events" => line with { Events = Number(option, value) },
                "--interval-ms" => line with { Interval = Milliseconds(option, value) },
                "--reply-bytes" => line with { ReplyBytes = Number(option, value) },
                _ => throw new FormatException($"{option} is not an option."),
            };
        }

        return line is { IsLoad: true, RequestLog: not null }
            ? throw new FormatException("--request-log goes with scripted answers only: under load it would be what is measured.")
            : line;
    }

    private static TimeSpan Milliseconds(string option, string value) => TimeSpan.FromMilliseconds(Number(option, value));

    private static int Number(string option, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"{option} takes a whole number, not {value}.");
}
