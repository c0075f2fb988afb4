using System.Text.Json;
using Ccp.Admin;
using Ccp.Licenses;
using Ccp.Tests.Configuration;
using Ccp.Tests.Licenses;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;
using Microsoft.Extensions.Logging.Abstractions;

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

    [Fact]
    public async Task An_activation_says_what_it_replaced_and_which_features_nothing_asks_for()
    {
        await using var till = TillUnderTest.WithConfig();
        var now = till.Clock.GetUtcNow();
        var pro = IssuedLicense.Pack(now, days: 365);
        var first = await till.AskAsync("POST", "/admin/license", Body(pro));
        Assert.False(first.Json.TryGetProperty("replaced", out _));
        Assert.False(first.Json.TryGetProperty("unknownFeatures", out _));
        Assert.Equal("false", first.Digits("deviceBound"));
        Assert.False((await till.AskAsync("POST", "/admin/license", Body(pro))).Json.TryGetProperty("replaced", out _));

        var worse = await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Pack(now, days: 14, plan: "trial", feature: "zai_ofload", device: till.License.Device)));

        Assert.Equal("pro", worse.Json.GetProperty("replaced").GetProperty("edition").GetString());
        Assert.Equal(now.AddDays(365), worse.Json.GetProperty("replaced").GetProperty("expires").GetDateTimeOffset());
        Assert.Equal("zai_ofload", Assert.Single(worse.Json.GetProperty("unknownFeatures").EnumerateArray()).GetString());
        Assert.Equal("true", worse.Digits("deviceBound"));
        Assert.False((await till.AskAsync("GET", "/admin/license")).Json.TryGetProperty("replaced", out _));
    }

    [Fact]
    public async Task A_feature_that_a_lane_of_the_configuration_requires_is_known()
    {
        await using var till = TillUnderTest.WithConfig("[[lane]]\nname = \"house\"\nbase_url = \"http://127.0.0.1:1\"\nheader = \"passthrough\"\nrequires = \"house_lane\"");

        var taken = await till.AskAsync("POST", "/admin/license", Body(IssuedLicense.Pack(till.Clock.GetUtcNow(), feature: "house_lane")));

        Assert.Equal(200, taken.Status);
        Assert.False(taken.Json.TryGetProperty("unknownFeatures", out _));
    }

    [Fact]
    public void Only_a_license_that_was_there_is_logged_as_taken_away()
    {
        using var folder = new TempFolder();
        var log = new LogLines();
        using var license = new CurrentLicense(new LicenseSource(folder["license.pack"], _ => null), IssuedLicense.Keys, TimeProvider.System, NullLogger.Instance);
        var operations = new LicenseOperations(license, () => Configured.Good(""), log);

        operations.Deactivate("host");
        Assert.Empty(log.All);
        license.Activate(System.Text.Encoding.UTF8.GetBytes(IssuedLicense.Pack(TimeProvider.System.GetUtcNow())));
        operations.Deactivate("host");
        Assert.Equal("Information: The license was deactivated, by host", Assert.Single(log.All));
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
        Assert.Equal((200, "community: the license has expired (on 2026-11-25 12:00:00 UTC); activate a new one"), (after.Status, after.Json.GetProperty("license").GetString()));
    }

    [Fact]
    public async Task Other_methods_are_not_known()
    {
        await using var till = TillUnderTest.WithConfig();

        Assert.Equal(405, (await till.AskAsync("PUT", "/admin/license")).Status);
    }

    private static string Body(string pack) => $"{{\"pack\":\"{JsonEncodedText.Encode(pack)}\"}}";
}
