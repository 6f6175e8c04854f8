using System.Text;

namespace Dure.Host.Live;

/// <summary>What every implementation of the Live seam can carry (PostgreSQL's NOTIFY is the narrowest).</summary>
public static class LiveLimits
{
    /// <summary>Characters of a channel's name.</summary>
    public const int ChannelLengthMax = 60;

    /// <summary>UTF-8 bytes of a message.</summary>
    public const int MessageBytesMax = 4096;

    /// <summary>Messages that wait for one subscriber; more drop the oldest.</summary>
    public const int WaitingMax = 256;

    internal static void Check(string channel)
    {
        if (channel.Length is 0 or > ChannelLengthMax)
        {
            throw new ArgumentException($"A channel's name has 1 to {ChannelLengthMax} characters, not {channel.Length}.", nameof(channel));
        }
    }

    internal static void Check(string channel, string message)
    {
        Check(channel);
        if (message.Length > MessageBytesMax / 3 && Encoding.UTF8.GetByteCount(message) > MessageBytesMax)
        {
            throw new ArgumentException($"A live message has at most {MessageBytesMax} bytes.", nameof(message));
        }
    }
}
