using CloudPeer.Sync.Log;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Client;

/// <summary>Heads, receipts and generations as a replica keeps them: the messages in which they travelled.</summary>
public static class LogBytes
{
    /// <summary>A head as bytes.</summary>
    public static byte[] Encode(LogHead head) => head.ToWire().ToByteArray();

    /// <summary>A receipt as bytes.</summary>
    public static byte[] Encode(Receipt receipt) => receipt.ToWire().ToByteArray();

    /// <summary>A generation as bytes.</summary>
    public static byte[] Encode(Generation generation) => generation.ToWire().ToByteArray();

    /// <summary>Reads a head back.</summary>
    /// <exception cref="TlfsException"><c>malformed</c>.</exception>
    public static LogHead DecodeHead(byte[] bytes) => Decode(bytes, V1.LogHead.Parser, WireLog.Read);

    /// <summary>Reads a receipt back.</summary>
    /// <exception cref="TlfsException"><c>malformed</c>.</exception>
    public static Receipt DecodeReceipt(byte[] bytes) => Decode(bytes, V1.Receipt.Parser, WireLog.Read);

    /// <summary>Reads a generation back.</summary>
    /// <exception cref="TlfsException"><c>malformed</c>.</exception>
    public static Generation DecodeGeneration(byte[] bytes) => Decode(bytes, V1.Generation.Parser, WireLog.Read);

    private static T Decode<TMessage, T>(byte[] bytes, MessageParser<TMessage> parser, Func<TMessage, T> read)
        where TMessage : IMessage<TMessage>
    {
        try
        {
            return read(parser.ParseFrom(bytes));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new TlfsException(Reason.Malformed, "a stored log statement is damaged", e);
        }
    }
}
