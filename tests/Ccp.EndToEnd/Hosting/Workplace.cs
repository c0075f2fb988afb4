using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.EndToEnd.Hosting;

/// <summary>Alice's machine with the client on it, a ccp for it to talk to, and the upstream behind that.</summary>
internal sealed class Workplace : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("ccp-claude-").FullName;

    private Workplace(ScriptedUpstreamServer upstream, CcpUnderTest ccp)
    {
        Upstream = upstream;
        Ccp = ccp;
    }

    public ScriptedUpstreamServer Upstream { get; }

    public CcpUnderTest Ccp { get; }

    /// <summary>Skips the test where there is no client.</summary>
    /// <param name="answer">Null for <see cref="ClaudeCodeAnswers"/>.</param>
    /// <param name="balance">What Alice has, in dollars; 0 for no top-up.</param>
    public static async Task<Workplace> OpenAsync(Func<RecordedRequest, Script>? answer = null, string balance = "50", Action<CcpSetup>? change = null)
    {
        Assert.SkipWhen(ClaudeCode.WhyAbsent is not null, ClaudeCode.WhyAbsent ?? "");
        var upstream = await ScriptedUpstreamServer.StartAsync(answer ?? ClaudeCodeAnswers.Answer);
        return new Workplace(upstream, await CcpUnderTest.StartAsync(upstream, balance, change));
    }

    /// <summary>Types a prompt and waits for the end.</summary>
    public async Task<ClaudeRun> AskAsync(string prompt, params string[] options)
    {
        await using var claude = Start(prompt, options);
        return await claude.EndAsync();
    }

    /// <inheritdoc cref="AskAsync(string, string[])"/>
    /// <param name="environment">Added to, or put in the place of, what the client has; an empty value takes a variable away.</param>
    public async Task<ClaudeRun> AskAsync(string prompt, Dictionary<string, string> environment)
    {
        await using var claude = Start(prompt, [], environment);
        return await claude.EndAsync();
    }

    public ClaudeCode Start(string prompt, IEnumerable<string> options, Dictionary<string, string>? environment = null)
    {
        var all = new Dictionary<string, string>
        {
            ["ANTHROPIC_BASE_URL"] = Ccp.Address!.GetLeftPart(UriPartial.Authority),
            ["ANTHROPIC_AUTH_TOKEN"] = CcpUnderTest.Alice,
        };
        foreach (var (name, value) in environment ?? [])
        {
            all[name] = value;
        }

        return ClaudeCode.Start(_home, ["-p", prompt, .. options], all.Where(variable => variable.Value.Length > 0));
    }

    /// <summary>Stops ccp and reads what it has written down, having checked what must be true of every such reading.</summary>
    /// <param name="secrets">Beside Alice's token and the lane's key.</param>
    public async Task<Books> CloseAsync(params string[] secrets)
    {
        await Ccp.StopAsync();
        Assert.Empty(Upstream.Faults);
        return Books.Read(Ccp, Upstream.Requests.Count, [CcpUnderTest.Alice, CcpUnderTest.TeamKey, .. secrets]);
    }

    public async ValueTask DisposeAsync()
    {
        await Ccp.DisposeAsync();
        await Upstream.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }
}
