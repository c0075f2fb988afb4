using System.Text.Json;

namespace Ccp.Metering;

/// <summary>What a message object says of itself: the whole answer of a call that is not streamed, the <c>message</c> of a <c>message_start</c>, or an error.</summary>
/// <remarks>Filled as it is read, so that an object that breaks off still tells what came before.</remarks>
internal sealed class ReportedMessage
{
    public string? Type { get; private set; }

    public string? Model { get; private set; }

    /// <summary>The type inside <c>error</c>, such as <c>overloaded_error</c>.</summary>
    public string? ErrorType { get; private set; }

    public ReportedUsage? Usage { get; private set; }

    /// <summary>Decoded bytes of what the model wrote.</summary>
    public long TextBytes { get; private set; }

    /// <summary>Whether reading stopped somewhere inside <c>content</c>.</summary>
    public bool IsInContent { get; private set; }

    /// <param name="reader">Inside the object, before its first member; left on its end.</param>
    public void Read(ref Utf8JsonReader reader)
    {
        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("type"u8))
            {
                Type = reader.ReadText();
            }
            else if (reader.ValueTextEquals("model"u8))
            {
                Model = reader.ReadText();
            }
            else if (reader.ValueTextEquals("usage"u8))
            {
                Usage = reader.TryEnterObject() ? ReportedUsage.Read(ref reader) : Usage;
            }
            else if (reader.ValueTextEquals("content"u8))
            {
                ReadContent(ref reader);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                ReadError(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void ReadContent(ref Utf8JsonReader reader)
    {
        IsInContent = true;
        reader.Read();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    TextBytes += ContentText.ReadBlock(ref reader);
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        else
        {
            reader.Skip();
        }

        IsInContent = false;
    }

    private void ReadError(ref Utf8JsonReader reader)
    {
        if (!reader.TryEnterObject())
        {
            return;
        }

        while (reader.ReadMember())
        {
            if (reader.ValueTextEquals("type"u8))
            {
                ErrorType = reader.ReadText();
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
