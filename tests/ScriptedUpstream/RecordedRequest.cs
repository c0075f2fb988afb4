using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ccp.ScriptedUpstream;

/// <summary>A request as it arrived: the proxy's side of the wire, to be compared with what its client sent.</summary>
public sealed class RecordedRequest
{
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _cut;

    internal RecordedRequest(HttpContext context, byte[] body)
    {
        var request = context.Request;
        Method = request.Method;
        Target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        HttpVersion = request.Protocol;
        ConnectionId = context.Connection.Id;
        Headers = [.. request.Headers.SelectMany(header => header.Value, (header, value) => (header.Key, value ?? ""))];
        Body = body;
    }

    public string Method { get; }

    /// <summary>Path and query exactly as sent, nothing decoded.</summary>
    public string Target { get; }

    public string Path => Target.Split('?', 2)[0];

    /// <summary>From the question mark on, or empty.</summary>
    public string Query => Target[Path.Length..];

    /// <summary><c>HTTP/1.1</c> or <c>HTTP/2</c>.</summary>
    public string HttpVersion { get; }

    /// <summary>The same for all requests that came over one connection.</summary>
    public string ConnectionId { get; }

    /// <summary>Every value, those of one name in the order sent. The order of different names is not kept.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; }

    public byte[] Body { get; }

    public string BodyText => Encoding.UTF8.GetString(Body);

    /// <summary>Completes when the client closed or cancelled before the answer was whole.</summary>
    /// <remarks>Never completes for an exchange that ended well or that the script cut; cancelled when the server is disposed of.</remarks>
    public Task Aborted => _aborted.Task;

    /// <summary>All values of a header, empty when it was not sent.</summary>
    public IReadOnlyList<string> HeaderValues(string name) =>
        [.. Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value)];

    /// <summary>The one value of a header, null when it was not sent; sent twice is an error.</summary>
    public string? Header(string name) => HeaderValues(name).SingleOrDefault();

    /// <summary>The body as JSON; throws where it is none.</summary>
    public JsonElement Json()
    {
        using var document = JsonDocument.Parse(Body);
        return document.RootElement.Clone();
    }

    internal void AnsweredByCut() => _cut = true;

    internal void ClientLeft()
    {
        if (!_cut)
        {
            _aborted.TrySetResult();
        }
    }

    internal void ServerEnds() => _aborted.TrySetCanceled();
}
