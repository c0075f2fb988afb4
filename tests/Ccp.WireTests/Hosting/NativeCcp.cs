using System.Diagnostics;
using System.Text;

namespace Ccp.WireTests.Hosting;

internal sealed class NativeCcp(CcpSetup setup) : CcpUnderTest(setup)
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(20);

    private readonly string _path = setup.LicenseKeys is null ? NativePath! : DevPath!;
    private readonly StringBuilder _stderr = new();
    private readonly MovedClock? _clock = setup.Clock is { } clock ? new MovedClock(clock) : null;
    private Process? _process;

    public override string Log
    {
        get
        {
            lock (_stderr)
            {
                return _stderr.ToString();
            }
        }
    }

    public override async Task RunAsync()
    {
        string[] command = [_path, "serve", "--config", ConfigPath];
        var start = Setup.MayDumpCore
            ? new ProcessStartInfo("/bin/sh", ["-c", "ulimit -c unlimited && exec \"$@\"", "sh", .. command]) { WorkingDirectory = Home }
            : new ProcessStartInfo(command[0], command[1..]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment.Clear();
        start.Environment["CCP_HOME"] = Home;
        foreach (var (name, value) in Setup.Environment)
        {
            start.Environment[name] = value;
        }

        if (Setup.LicenseKeys is { } keys)
        {
            start.Environment["CCP_LICENSE_PUBKEY_B64"] = string.Join(',', keys.Select(key => $"{key.Key}={Convert.ToBase64String(key.Value)}"));
        }

        _clock?.GiveTo(start.Environment);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(StartsWithin);
        var first = await _process.StandardOutput.ReadLineAsync(limit.Token);
        const string Announcement = "listening on ";
        Assert.True(first?.StartsWith(Announcement, StringComparison.Ordinal), $"ccp said \"{first}\" and {Log}");
        Address = new Uri(first![Announcement.Length..]);
    }

    private void Hear(string? line)
    {
        lock (_stderr)
        {
            _stderr.AppendLine(line);
        }
    }

    public override async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            using (process)
            {
                using var terminate = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
                await terminate.WaitForExitAsync();
                using var limit = new CancellationTokenSource(StopsWithin);
                await process.WaitForExitAsync(limit.Token);
            }
        }
    }

    public async Task HangUpAsync()
    {
        using var hangup = Process.Start("kill", ["-HUP", _process!.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await hangup.WaitForExitAsync();
    }

    /// <summary>As a power cut does to the process: nothing more is written.</summary>
    public async Task KillAsync()
    {
        using var process = _process!;
        _process = null;
        process.Kill();
        await process.WaitForExitAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _clock?.Dispose();
    }

    /// <param name="signal">One that ends a process and has its memory dumped, such as <c>SEGV</c>.</param>
    /// <returns>How it ended, and what it wrote to its standard output after it was up; the rest is in <see cref="Log"/>.</returns>
    public async Task<(int ExitCode, string Output)> CrashAsync(string signal)
    {
        using var process = _process!;
        _process = null;
        var output = process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(StopsWithin);
        try
        {
            var ended = process.WaitForExitAsync(limit.Token);
            while (!ended.IsCompleted)
            {
                // The runtime looks for the instruction that caused a SEGV, finds none, and steps aside: the next one counts.
                using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
                await kill.WaitForExitAsync();
                await Task.WhenAny(ended, Task.Delay(TimeSpan.FromSeconds(1)));
            }

            await ended;
        }
        finally
        {
            process.Kill();
        }

        return (process.ExitCode, await output);
    }

    public override async Task TopUpAsync(string user, string usd)
    {
        var (status, json) = await AdministerAsync(HttpMethod.Post, $"/admin/balance/{user}", $$"""{"amount":{{usd}}}""");
        Assert.True(status == 200, json.ToString());
    }

    /// <summary>One command of the executable, in this ccp's data directory.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> CommandAsync(string home, params string[] arguments)
    {
        var start = new ProcessStartInfo(NativePath!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        start.Environment.Clear();
        start.Environment["CCP_HOME"] = home;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(StopsWithin);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            process.Kill();
        }

        return (process.ExitCode, await output, await errors);
    }
}
