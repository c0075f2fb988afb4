using System.Globalization;
using System.Text.Json;

namespace Ccp.WireTests.Hosting;

/// <summary>The one form in which ccp says no: the shape an Anthropic client reads, exactly the headers it acts on, and a sentence for the person.</summary>
internal static class SaidNo
{
    /// <param name="word">Something that the sentence says.</param>
    /// <param name="retryAfter">The header, to the second; null: there must be none.</param>
    /// <param name="shouldRetry">The header; null: there must be none.</param>
    /// <returns>The sentence.</returns>
    public static async Task<string> AssertAsync(HttpResponseMessage answer, int status, string type, string word, int? retryAfter = null, string? shouldRetry = null)
    {
        var (message, wait) = await AssertFormAsync(answer, status, type, word, shouldRetry);
        Assert.Equal(retryAfter, wait);
        return message;
    }

    /// <summary>As above where the wait depends on the clock.</summary>
    public static async Task<string> AssertAsync(HttpResponseMessage answer, int status, string type, string word, int waitMin, int waitMax, string? shouldRetry = null)
    {
        var (message, wait) = await AssertFormAsync(answer, status, type, word, shouldRetry);
        Assert.InRange(wait ?? 0, waitMin, waitMax);
        return message;
    }

    private static async Task<(string Message, int? Wait)> AssertFormAsync(HttpResponseMessage answer, int status, string type, string word, string? shouldRetry)
    {
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode}: {body}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        using var json = JsonDocument.Parse(body);
        Assert.Equal(["type", "error", "request_id"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal("error", json.RootElement.GetProperty("type").GetString());
        Assert.Equal(["type", "message"], json.RootElement.GetProperty("error").EnumerateObject().Select(member => member.Name));
        Assert.Equal(type, json.RootElement.GetProperty("error").GetProperty("type").GetString());
        Assert.Equal(json.RootElement.GetProperty("request_id").GetString(), answer.Headers.GetValues("request-id").Single());
        Assert.Equal(shouldRetry, Header(answer, "x-should-retry"));

        // The client matches these words before it looks at the status, and would say something else to the person.
        var message = json.RootElement.GetProperty("error").GetProperty("message").GetString()!;
        Assert.Contains(word, message, StringComparison.Ordinal);
        Assert.DoesNotContain("prompt is too long", message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("credit balance is too low", message, StringComparison.OrdinalIgnoreCase);
        Assert.Matches(@"^[A-Z].{20,400}\.$", message.Replace("ccp", "Ccp", StringComparison.Ordinal));
        return (message, Header(answer, "retry-after") is { } seconds ? int.Parse(seconds, NumberStyles.None, CultureInfo.InvariantCulture) : null);
    }

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;
}
