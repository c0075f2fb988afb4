using System.Net;
using System.Text;

namespace Ccp.Bench.Client;

/// <summary>Whom the load is sent to, and as whom.</summary>
internal sealed class Target(string name, Uri address, string token)
{
    private const string Model = "claude-sonnet-5-5";

    private long _answered;

    public string Name => name;

    public EndPoint EndPoint { get; } = new IPEndPoint(IPAddress.Parse(address.Host), address.Port);

    /// <summary>Calls answered whole, with 200.</summary>
    public long Answered => Interlocked.Read(ref _answered);

    public void AddAnswered(int calls) => Interlocked.Add(ref _answered, calls);

    /// <summary>A call of the Messages API with the headers that Claude Code sends.</summary>
    /// <param name="bodyBytes">How large the body is, give or take a turn of the conversation.</param>
    public byte[] Request(bool stream, int bodyBytes)
    {
        var body = Body(stream, bodyBytes);
        return Encoding.UTF8.GetBytes(
            $"""
            POST /v1/messages?beta=true HTTP/1.1
            host: {address.Authority}
            authorization: Bearer {token}
            accept: application/json
            accept-encoding: identity
            anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14
            anthropic-version: 2023-06-01
            content-type: application/json
            user-agent: claude-cli/2.1.330 (external, cli)
            x-app: cli
            x-claude-code-session-id: 0b7e2c55-6d1f-4a9e-8a0c-3f2d9c1b7a64
            content-length: {body.Length}


            """.ReplaceLineEndings("\r\n") + body);
    }

    /// <summary>A conversation whose turns carry code, so that the text is as full of escapes as real ones are.</summary>
    private static string Body(bool stream, int bytes)
    {
        const string Turn = """{"role":"user","content":[{"type":"text","text":"     1\tvar list = new List<string> { \"a\", \"b\" };\n     2\tforeach (var item in list)\n     3\t{\n     4\t    Console.WriteLine($\"{item}: {item.Length}\");\n     5\t}\n"}]},{"role":"assistant","content":[{"type":"text","text":"The loop writes each item and its length, one line each, and nothing else."}]},""";
        const string LastTurn = """{"role":"user","content":[{"type":"text","text":"Go on.","cache_control":{"type":"ephemeral"}}]}""";
        var turns = string.Concat(Enumerable.Repeat(Turn, bytes / Turn.Length));
        return $$"""{"model":"{{Model}}","max_tokens":1024,"system":[{"type":"text","text":"You are a coding assistant."}],"messages":[{{turns}}{{LastTurn}}],"stream":{{(stream ? "true" : "false")}}}""";
    }
}
