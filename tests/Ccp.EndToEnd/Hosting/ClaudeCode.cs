using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Ccp.EndToEnd.Hosting;

/// <summary>One run of the real client, with an environment that holds nothing of this machine's.</summary>
internal sealed class ClaudeCode : IAsyncDisposable
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _printed = new();
    private readonly CancellationTokenSource _limit = new(EndsWithin);
    private readonly Process _process;
    private readonly Task<string> _complaints;

    private ClaudeCode(Process process)
    {
        _process = process;
        _complaints = process.StandardError.ReadToEndAsync(_limit.Token);
    }

    /// <summary>Null when the client is there; else what to do about it.</summary>
    public static string? WhyAbsent { get; } = FindAbsence();

    private static string Executable => Environment.GetEnvironmentVariable("CCP_CLAUDE") ?? WhereInstalled();

    /// <param name="home">Also the parent of the folder it works in.</param>
    public static ClaudeCode Start(string home, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var start = new ProcessStartInfo(Executable, arguments)
        {
            WorkingDirectory = Directory.CreateDirectory(Path.Combine(home, "project")).FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["HOME"] = home;
        start.Environment["PATH"] = "/usr/bin:/bin";
        start.Environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new ClaudeCode(process);
    }

    /// <summary>Waits until it prints a line that contains this.</summary>
    public async Task UntilItPrintsAsync(string text)
    {
        while (await ReadLineAsync() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return;
            }
        }

        Assert.Fail($"The client ended without printing \"{text}\". It printed: {_printed}");
    }

    /// <summary>As Ctrl+C does.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(_limit.Token);
    }

    public async Task<ClaudeRun> EndAsync()
    {
        try
        {
            while (await ReadLineAsync() is not null)
            {
            }

            await _process.WaitForExitAsync(_limit.Token);
            return new ClaudeRun(_process.ExitCode, _printed.ToString().TrimEnd('\n'), await _complaints);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The client did not end within {EndsWithin}. So far it printed: {_printed}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        _limit.Dispose();
    }

    private async Task<string?> ReadLineAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync(_limit.Token);
        if (line is not null)
        {
            _printed.Append(line).Append('\n');
        }

        return line;
    }

    private static string? FindAbsence() => File.Exists(Executable)
        ? null
        : $"There is no Claude Code client at {Executable}. Run scripts/install-claude, or name one in CCP_CLAUDE.";

    /// <summary>The script that installs the client is the one place that knows its version and its folder.</summary>
    private static string WhereInstalled()
    {
        using var script = Process.Start(new ProcessStartInfo("sh", [Path.Combine(AppContext.BaseDirectory, "install-claude"), "--where"]) { RedirectStandardOutput = true })!;
        var path = script.StandardOutput.ReadToEnd().Trim();
        script.WaitForExit();
        return path;
    }
}

/// <param name="Printed">To standard output, without the last line's ending.</param>
/// <param name="Complaints">To standard error.</param>
internal sealed record ClaudeRun(int ExitCode, string Printed, string Complaints);
