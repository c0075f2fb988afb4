using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests.Isolation;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>
/// Goal: however ccp dies, nobody's secret, and nothing that was said, is left in what it wrote, and none of its memory is left at all.
/// Method: calls with known secrets, some of them refused, some under way; then a signal that has a process's memory dumped, where the system is allowed to
/// write cores and the runtime is told to. What was printed, and every file, is searched byte by byte. A program that forbids nothing shows that cores are written here.
/// </summary>
public sealed class CrashTests
{
    private const string Said = "prompt-canary";
    private const string Answered = "answer-canary";

    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData("SEGV", 128 + 11)]
    [InlineData("ABRT", 128 + 6)]
    [InlineData("QUIT", 128 + 3)]
    public async Task What_a_crash_leaves_holds_nobodys_secret(string signal, int exitCode)
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "Only a process of its own can crash.");
        await using var upstream = await ScriptedUpstreamServer.StartAsync(Answer);
        await using var ccp = await CcpUnderTest.StartAsync(upstream, change: setup =>
        {
            setup.MayDumpCore = true;
            setup.Environment["DOTNET_DbgEnableMiniDump"] = "1";
            setup.Environment["DOTNET_DbgMiniDumpType"] = "4";
            setup.Environment["DOTNET_DbgMiniDumpName"] = "runtime.dump";
            setup.Environment["DOTNET_EnableCrashReport"] = "1";
            setup.More = $"""
                [[user]]
                name = "bob"
                token_sha256 = "{CcpSetup.HashOf(Parties.Bob)}"
                """;
        });
        await ccp.TopUpAsync("bob", "50");
        Assert.Equal(200, (await ccp.AdministerAsync(HttpMethod.Put, "/admin/users/bob", $$"""{"anthropicApiKey":"{{Parties.BobsKey}}"}""")).Status);

        await RefuseAsync(ccp);
        using (var whole = await ccp.AskAsync(stream: false, text: $"{Said} whole"))
        {
            Assert.Contains(Answered, await whole.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        // Under way: two streams, and a call that is not answered yet.
        using var alices = await ccp.AskAsync(text: $"{Said} stream");
        using var bobs = await ccp.AskAsync(text: $"{Said} stream", token: Parties.Bob);
        await ReadUntilAsync(alices, Answered);
        await ReadUntilAsync(bobs, Answered);
        var before = upstream.Requests.Count;
        var waiting = ccp.AskAsync(text: $"{Said} silence");
        while (upstream.Requests.Count == before)
        {
            await Task.Yield();
        }

        var (exit, output) = await ((NativeCcp)ccp).CrashAsync(signal);
        await Assert.ThrowsAnyAsync<Exception>(() => waiting);

        Assert.Equal(exitCode, exit);
        AssertHoldsNothing("standard output", Encoding.UTF8.GetBytes(output));
        AssertHoldsNothing("standard error", Encoding.UTF8.GetBytes(ccp.Log));
        var files = Directory.GetFiles(ccp.Home, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)).ToList();
        Assert.Contains(files, file => file.EndsWith("usage.jsonl", StringComparison.Ordinal));
        Assert.All(files, file => AssertHoldsNothing(file, File.ReadAllBytes(file)));
        Assert.DoesNotContain(files.Select(Path.GetFileName), name => name!.Contains("core", StringComparison.Ordinal) || name.Contains("dump", StringComparison.Ordinal));
    }

    /// <summary>Without this the test above would find no core for a reason that is not ccp's doing.</summary>
    [Fact]
    public async Task A_program_that_forbids_nothing_leaves_a_core_here()
    {
        Assert.SkipUnless(CcpUnderTest.IsNative, "As the test of what a crash leaves.");
        var folder = Directory.CreateTempSubdirectory("ccp-core-").FullName;
        try
        {
            using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "ulimit -c unlimited && kill -SEGV $$"]) { WorkingDirectory = folder, RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            Assert.SkipWhen(Directory.GetFiles(folder).Length == 0, "This system writes no cores to where a program runs (/proc/sys/kernel/core_pattern).");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What cannot be read is answered and logged by other code than what can.</summary>
    private static async Task RefuseAsync(CcpUnderTest ccp)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, ccp.Port);
        var raw = client.GetStream();
        await raw.WriteAsync(Encoding.Latin1.GetBytes($"POST /v1/messages HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {CcpUnderTest.Alice}\r\nx-api-key {Parties.ClientCanary}\u0001\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 400", await new StreamReader(raw, Encoding.Latin1).ReadToEndAsync(), StringComparison.Ordinal);

        foreach (var body in new[] { $"{{\"model\":{Said}", $"{{\"model\":\"{CcpUnderTest.Model}\",\"messages\":[{Said}]}}", $"{{\"model\":[\"{Said}\"]}}", Said })
        {
            using var refused = await ccp.SendAsync(ccp.Request(HttpMethod.Post, "/v1/messages", body: body));
            Assert.True((int)refused.StatusCode is 400, body);
        }

        using var unknown = await ccp.AskAsync(token: Parties.ClientCanary);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        using var keyless = await ccp.AskAsync(stream: false, text: "refuse");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, keyless.StatusCode);
    }

    private static Script Answer(RecordedRequest request)
    {
        bool Says(string what) => request.BodyText.Contains(what, StringComparison.Ordinal);
        return Says("refuse") ? Answers.Error(401, "authentication_error", $"invalid key: {request.Header("x-api-key")} {Parties.UpstreamCanary}")
            : Says("silence") ? Script.Stall()
            : Says($"{Said} stream") ? Answers.BeginStream(Parties.FromUpstream("200")).Send(SseEvents.MessageStart(CcpUnderTest.Model, Small)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta(Answered)).Hang()
            : Answers.Message(CcpUnderTest.Model, Answered, Small, Parties.FromUpstream("200"));
    }

    private static void AssertHoldsNothing(string name, byte[] bytes)
    {
        var found = Parties.FoundIn(bytes).Concat(new[] { Said, Answered }.Where(said => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(said)) >= 0));
        Assert.True(!found.Any(), $"{name} holds {string.Join(", ", found)}");
    }

    private static async Task ReadUntilAsync(HttpResponseMessage answer, string end)
    {
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var body = await answer.Content.ReadAsStreamAsync();
        var text = new StringBuilder();
        var piece = new byte[4096];
        while (!text.ToString().Contains(end, StringComparison.Ordinal))
        {
            var read = await body.ReadAsync(piece);
            Assert.NotEqual(0, read);
            text.Append(Encoding.UTF8.GetString(piece, 0, read));
        }
    }
}
