using System.Runtime.InteropServices;

namespace Ccp.ScriptedUpstream;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["--help"])
        {
            Console.Write(CommandLine.Help);
            return 0;
        }

        CommandLine line;
        try
        {
            line = CommandLine.Parse(args);
        }
        catch (FormatException problem)
        {
            await Console.Error.WriteLineAsync($"{problem.Message}\n\n{CommandLine.Help}");
            return 2;
        }

        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            ended.TrySetResult();
        }

        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        try
        {
            await (line.IsLoad ? ServeLoadAsync(line, ended.Task) : ServeScriptsAsync(line, ended.Task));
            return 0;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync(problem.Message);
            return 1;
        }
    }

    private static async Task ServeScriptsAsync(CommandLine line, Task ended)
    {
        using var log = line.RequestLog is { } file ? new RequestLog(file) : null;
        await using var server = await ScriptedUpstreamServer.StartAsync(
            request => Script.Begin.Delay(line.FirstByteDelay).Then(ClaudeCodeAnswers.Answer(request).Paced(line.EventDelay)),
            new() { Port = line.Port, KeepsRequests = false, OnRequest = request => log?.Write(request) });
        Announce(server.BaseUrl);
        await ended;
    }

    private static async Task ServeLoadAsync(CommandLine line, Task ended)
    {
        var load = new LoadAnswers(line.Events ?? 1, line.Interval, line.FirstByteDelay, line.ReplyBytes ?? 1_000);
        await using var app = await LoopbackKestrel.StartAsync(new() { Port = line.Port }, bufferBytesMax: 64 * 1024, load.ServeAsync);
        Announce(new(app.Urls.Single()));
        await ended;
    }

    private static void Announce(Uri url) => Console.WriteLine($"listening on {url.GetLeftPart(UriPartial.Authority)}");
}
