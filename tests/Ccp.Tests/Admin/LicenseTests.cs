using System.Text.Json;
using Ccp.Tests.Shared;

namespace Ccp.Tests.Admin;

public sealed class LicenseTests
{
    [Fact]
    public async Task A_license_is_shown_activated_and_deactivated()
    {
        await using var till = TillUnderTest.WithConfig();
        Assert.Equal("community", (await till.AskAsync("GET", "/admin/license")).Json.GetProperty("edition").GetString());

        var taken = await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Pack(till.Clock.GetUtcNow())));
        Assert.Equal(200, taken.Status);
        Assert.Equal("pro", taken.Json.GetProperty("edition").GetString());
        Assert.Equal("2026-12-22T12:00:00+00:00", taken.Json.GetProperty("expires").GetString());
        Assert.DoesNotContain(IssuedLicense.Subject, taken.Text, StringComparison.Ordinal);
        Assert.True(till.License.Grants("zai_offload", till.Clock.GetUtcNow()));

        await till.RestartAsync();
        Assert.Equal("pro", (await till.AskAsync("GET", "/admin/license")).Json.GetProperty("edition").GetString());

        Assert.Equal("community", (await till.AskAsync("DELETE", "/admin/license")).Json.GetProperty("edition").GetString());
        Assert.False(till.License.Grants("zai_offload", till.Clock.GetUtcNow()));
    }

    [Fact]
    public async Task A_bad_license_is_refused_with_the_reason()
    {
        await using var till = TillUnderTest.WithConfig();
        await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Pack(till.Clock.GetUtcNow())));

        var refused = await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Tampered(IssuedLicense.Pack(till.Clock.GetUtcNow()))));

        Assert.Equal(409, refused.Status);
        Assert.Contains("what stood before stands: the signature is not over this license", refused.Error, StringComparison.Ordinal);
        Assert.True(till.License.Grants("zai_offload", till.Clock.GetUtcNow()));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"pack":7}""")]
    [InlineData("""{"pack":"{}","other":1}""")]
    public async Task What_is_no_request_is_refused(string body)
    {
        await using var till = TillUnderTest.WithConfig();

        Assert.Equal(400, (await till.AskAsync("POST", "/admin/license", body)).Status);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_said()
    {
        await using var till = TillUnderTest.WithConfig("[license]\npath = \"missing/license.pack\"");

        var refused = await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Pack(till.Clock.GetUtcNow())));

        Assert.Equal(503, refused.Status);
        Assert.Contains("could not be changed", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readiness_says_which_edition_and_why_and_is_as_ready_without_a_license()
    {
        await using var till = TillUnderTest.WithConfig();
        var without = await till.AskAsync("GET", "/readyz");
        await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Pack(till.Clock.GetUtcNow(), days: 3)));
        var with = await till.AskAsync("GET", "/readyz");
        till.Clock.Advance(TimeSpan.FromDays(3));
        var after = await till.AskAsync("GET", "/readyz");

        Assert.Equal((200, "community: there is no license"), (without.Status, without.Json.GetProperty("license").GetString()));
        Assert.StartsWith("pro. The license expires in 3 days", with.Json.GetProperty("license").GetString(), StringComparison.Ordinal);
        Assert.Equal((200, "community: the license has expired; activate a new one"), (after.Status, after.Json.GetProperty("license").GetString()));
    }

    [Fact]
    public async Task Other_methods_are_not_known()
    {
        await using var till = TillUnderTest.WithConfig();

        Assert.Equal(405, (await till.AskAsync("PUT", "/admin/license")).Status);
    }

    private static string Body(string pack) => $"{{\"pack\":\"{JsonEncodedText.Encode(pack)}\"}}";
}
