using System.Globalization;
using Ccp.Forwarding;
using Ccp.Refusals;
using Ccp.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>The only writer of ccp's own errors.</summary>
internal static class ErrorResponder
{
    public static async Task WriteAsync(HttpContext http, Refusal refusal, RequestId id)
    {
        if (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        var wire = RefusalMap.ToWire(refusal);
        var body = ErrorBody.Json(wire.Type, refusal.Message, id.Value);
        var response = http.Response;
        response.StatusCode = wire.Status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        response.Headers["request-id"] = id.Value;
        response.Headers[OwnHeaders.RequestId] = id.Value;
        if (!wire.ClientMayRetry)
        {
            response.Headers["x-should-retry"] = "false";
        }

        if (wire.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        await response.BodyWriter.WriteAsync(body);
    }
}
