using Ccp.Admin;
using Ccp.Configuration;
using Ccp.Forwarding;
using Ccp.Refusals;
using Ccp.Relay;
using Ccp.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Ccp.Listening;

/// <summary>What the web server calls for each request: finds the route and hands the request to whom it concerns.</summary>
internal sealed class CcpApplication(RelayPipeline relay, AdminEndpoint admin, ServerConfig server, AuthConfig auth, Metrics metrics, ILogger log) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var id = RequestId.New();
        context.Response.Headers[OwnHeaders.RequestId] = id.Value;
        try
        {
            if (await AnswerAsync(context, id) is { } refusal)
            {
                metrics.CountRefusal(refusal.Code.ToReason());
                await ErrorResponder.WriteAsync(context, refusal, id);
            }
        }
        catch (Exception error) when (error is IOException or ConnectionResetException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone: there is nobody left to tell.
        }
        catch (BadHttpRequestException error)
        {
            await RefuseOrAbortAsync(context, id, new Refusal(RefusalCode.BodyMalformed, $"The request could not be read: {error.Message}"));
        }
        catch (Exception error)
        {
            log.CallFailed(error, id.Value);
            await RefuseOrAbortAsync(context, id, new Refusal(RefusalCode.InternalError, $"Something failed inside ccp. Your operator finds it in ccp's log under {id}."));
        }
    }

    private async Task RefuseOrAbortAsync(HttpContext context, RequestId id, Refusal refusal)
    {
        metrics.CountRefusal(refusal.Code.ToReason());
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        await ErrorResponder.WriteAsync(context, refusal, id);
    }

    private RelayRequest RequestOf(HttpContext context, RelayKind kind, string path)
    {
        var headers = context.Request.Headers;
        var from = CallerAddress.Of(context, server.TrustedProxies);
        return auth.IsLocal
            ? new RelayRequest(context, kind, path, PresentedToken.InOwnHeader(headers), from) { Login = PresentedToken.LoginIn(headers), NotLocal = LocalCalls.RefusalOf(context) }
            : new RelayRequest(context, kind, path, PresentedToken.In(headers), from) { Login = PresentedToken.LoginBesideToken(headers) };
    }

    private async Task<Refusal?> AnswerAsync(HttpContext context, RequestId id)
    {
        if (!UpstreamRequest.MaySend(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget))
        {
            return new Refusal(RefusalCode.BodyMalformed, "The path or the query of the request holds a blank or a control character. Such characters must be percent-encoded.");
        }

        var (kind, path) = Routes.Match(context.Request.Method, context.Request.Path.Value ?? "");
        switch (kind)
        {
            case RouteKind.Messages:
                return await relay.RunAsync(RequestOf(context, RelayKind.Messages, path), id);
            case RouteKind.CountTokens:
                return await relay.RunAsync(RequestOf(context, RelayKind.CountTokens, path), id);
            case RouteKind.Models:
                return await relay.RunAsync(RequestOf(context, RelayKind.Models, path), id);
            case RouteKind.Hello:
                context.Response.ContentLength = 0;
                return null;
            case RouteKind.Admin:
                await admin.AnswerAsync(context);
                return null;
            case RouteKind.WrongMethod:
                return new Refusal(RefusalCode.MethodNotAllowed, $"{context.Request.Method} is not a method of {context.Request.Path}.");
            default:
                return new Refusal(RefusalCode.UnknownPath, $"ccp does not serve {context.Request.Path}: it passes on /v1/messages, /v1/messages/count_tokens and /v1/models only, because it could not bill anything else.");
        }
    }
}
