using System.Text;
using Ccp.Configuration;
using Ccp.Limits;

namespace Ccp.Tests.Limits;

public sealed class AllowedModelsTests
{
    private static readonly UserLimits Haiku = UserLimits.BuiltIn with { Models = ["claude-haiku-*", "glm-4.6"] };

    [Fact]
    public void What_is_not_allowed_is_taken_out_and_all_else_stays_as_it_was()
    {
        const string List = """
            {"data":[{"type":"model","id":"claude-opus-5-5"},{"id":"claude-haiku-5-5","caps":{"x":[1, 2.50]},"created_at":"2026-01-01T00:00:00Z","name":"caf\u00e9"},{"id":"glm-4.6"},{"id":7},"claude-haiku-1",{"name":"nameless"}],"has_more":false,"first_id":"claude-opus-5-5","new":{"a":null}}
            """;

        Assert.Equal(
            """{"data":[{"id":"claude-haiku-5-5","caps":{"x":[1, 2.50]},"created_at":"2026-01-01T00:00:00Z","name":"caf\u00e9"},{"id":"glm-4.6"}],"has_more":false,"first_id":"claude-opus-5-5","new":{"a":null}}""",
            Filter(List));
    }

    [Theory]
    [InlineData("")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"data":7}""")]
    [InlineData("""{"data":[{"id":"claude-opus-5-5"}]""")]
    [InlineData("""{"data":[{"id":"\ud800"}]}""")]
    public void What_cannot_be_read_does_not_pass(string answer)
    {
        Assert.Null(Filter(answer));
    }

    [Fact]
    public void A_list_stated_twice_is_filtered_twice()
    {
        Assert.Equal("""{"data":[],"data":[]}""", Filter("""{"data":[{"id":"claude-opus-5-5"}],"data":[{"id":"claude-opus-5-5"}]}"""));
    }

    [Theory]
    [InlineData("claude-haiku-5-5", true)]
    [InlineData("claude-opus-5-5", false)]
    [InlineData("glm-4.6", true)]
    [InlineData("GLM-4.6", false)]
    public void A_model_is_allowed_by_any_of_the_patterns(string model, bool isAllowed)
    {
        Assert.Equal(isAllowed, Haiku.AllowsModel(model));
        Assert.True(UserLimits.BuiltIn.AllowsModel(model));
    }

    private static string? Filter(string list) => AllowedModels.Filter(Haiku, Encoding.UTF8.GetBytes(list)) is { } filtered ? Encoding.UTF8.GetString(filtered) : null;
}
