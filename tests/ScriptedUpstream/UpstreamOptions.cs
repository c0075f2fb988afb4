namespace Ccp.ScriptedUpstream;

/// <summary>How the upstream listens. It listens on 127.0.0.1 only.</summary>
public sealed record UpstreamOptions
{
    /// <summary>0 takes a free port; read it from <see cref="ScriptedUpstreamServer.BaseUrl"/>.</summary>
    public int Port { get; init; }

    /// <summary>Null is plain HTTP.</summary>
    public UpstreamTls? Tls { get; init; }

    /// <summary>With TLS the client may choose HTTP/2 or 1.1; without, it is HTTP/2 by prior knowledge and nothing else.</summary>
    public bool Http2 { get; init; }

    /// <summary>Off for long runs: requests are then answered and forgotten, and only <see cref="OnRequest"/> sees them.</summary>
    public bool KeepsRequests { get; init; } = true;

    /// <summary>Called with each whole request before it is answered, possibly by several threads at once.</summary>
    public Action<RecordedRequest>? OnRequest { get; init; }
}
