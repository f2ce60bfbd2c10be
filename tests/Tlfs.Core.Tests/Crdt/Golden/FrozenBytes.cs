using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Golden;

/// <summary>Bytes that are signed and stored: they never change (docs/protocol/operations.md).</summary>
public sealed class FrozenBytes
{
    private static readonly StoragePath Path = StoragePath.Of([Segment.Of(new FieldId(0x0102030405060708)), Segment.Of("Ann")]);

    [Fact]
    public void The_tours_schema_keeps_its_identity()
    {
        Assert.Equal("608d75f982286bbb59ff225253fb0d77122a7372572b98ac296d3f7c6f295c43", Schemas.Tour.Hash.Value.ToString());
        Assert.Equal(
            "9067746f646f617070820081018202657469746c658307657469746c6582008204048202657461736b738307657461736b7382008103830765746173"
            + "6b738208820081018307657461736b7382088202657469746c658307657461736b7382088307657469746c6582008204048307657461736b73820882"
            + "0268636f6d706c6574658307657461736b738208830768636f6d706c6574658200810582026670656f706c6583076670656f706c6582008202048307"
            + "6670656f706c6582098200810183076670656f706c65820982026361676583076670656f706c6582098307636167658200820401", Hex(Schemas.Tour.Bytes.Span));
    }

    [Theory]
    [InlineData("title", "80a16c32878188f3")]
    [InlineData("tasks", "ff302168a24aa403")]
    [InlineData("people", "fc3a1368e2a7ff4d")]
    public void The_tours_fields_keep_their_ids(string name, string id) => Assert.Equal(id, Schemas.Tour.View.Root.Fields[name].Chain[^1].ToString());

    [Fact]
    public void A_field_id_hashes_the_list_up_to_its_lens()
    {
        var list = LensList.Of("x", [new Make(Kind.Struct), new AddProperty("a")]);
        var bytes = Convert.FromHexString("836178820081018202" + "6161");
        Assert.Equal(bytes, list.Bytes.ToArray());
        Span<byte> hash = stackalloc byte[32];
        Tlfs.Core.Crypto.Hashing.Hash(Tlfs.Core.Crypto.Label.Field, bytes).CopyTo(hash);
        Assert.Equal(FieldId.From(hash[..8]), list.View.Root.Fields["a"].Chain[0]);
    }

    [Fact]
    public void A_schema_operation_keeps_its_bytes() => Same(
        new SchemaOperation(new SchemaVersion(0, 1, 0), LensList.Of("x", [new Make(Kind.Struct), new AddProperty("a")])),
        "83" + "00" + "65302e312e30" + "8361788200810182026161");

    [Fact]
    public void A_put_keeps_its_bytes()
    {
        const string start = "83" + "01" + "4f" + "010102030405060708" + "130003416e6e";
        Same(new Put(Path, Value.Null), start + "f6");
        Same(new Put(Path, Value.True), start + "f5");
        Same(new Put(Path, Value.Of(500UL)), start + "1901f4");
        Same(new Put(Path, Value.Of(-500L)), start + "3901f3");
        Same(new Put(Path, Value.Of(1.5)), start + "f93e00");
        Same(new Put(Path, Value.Of(-0.0)), start + "f98000");
        Same(new Put(Path, Value.Of(0.1)), start + "fb3fb999999999999a");
        Same(new Put(Path, Value.Of("é")), start + "62c3a9");
        Same(new Put(Path, Value.Of([1, 2])), start + "420102");
        Same(new Put(StoragePath.Root, Value.Null), "830140f6");
    }

    [Fact]
    public void A_remove_keeps_its_bytes()
    {
        var zeros = new string('0', 62);
        Same(
            new Remove(Path, [new Dot(Id(1), 2, 300), new Dot(Id(2), 0, 0)]),
            "83" + "02" + "4f010102030405060708130003416e6e" + "82" + "835820" + zeros + "01" + "02" + "19012c" + "835820" + zeros + "02" + "00" + "00");
    }

    [Fact]
    public void A_place_keeps_its_bytes()
    {
        Assert.True(Position.TryFrom([0x81, 0x01], out var position));
        Same(new Place(Path, new Uid(0x1112131415161718), position), "84" + "03" + "4f010102030405060708130003416e6e" + "481112131415161718" + "428101");
    }

    [Theory]
    [InlineData("an empty array", "80")]
    [InlineData("an unknown operation", "830440f6")]
    [InlineData("a remove with dots that do not ascend", "83024082" + Dot + Dot)]
    [InlineData("a place whose position ends in zero", "84034048000000000000000042810" + "0")]
    [InlineData("a place without a position", "8403404800000000000000" + "0040")]
    [InlineData("a path that ends within a segment", "83014201" + "02f6")]
    [InlineData("NaN", "830140f97e00")]
    [InlineData("infinity", "830140f97c00")]
    [InlineData("a float longer than needed", "830140fa3fc00000")]
    [InlineData("an integer longer than needed", "83014018" + "01")]
    [InlineData("an integer below i64", "8301403b8000000000000000")]
    [InlineData("text that is not UTF-8", "83014061ff")]
    [InlineData("undefined", "830140f7")]
    [InlineData("a version that is none", "830063302e318361788200810182026161")]
    [InlineData("bytes after the value", "830140f600")]
    public void What_is_not_an_operation_is_refused(string what, string hex)
    {
        Assert.False(Operation.TryDecode(Convert.FromHexString(hex), out _, out var error), what);
        Assert.Equal(Reason.Malformed, error.Reason);
    }

    private const string Dot = "8358200000000000000000000000000000000000000000000000000000000000000001" + "0000";

    private static EnvelopeId Id(byte last)
    {
        var bytes = new byte[32];
        bytes[31] = last;
        return new(new Bytes32(bytes));
    }

    private static void Same(Operation operation, string hex)
    {
        Assert.Equal(hex, Hex(operation.Encode()));
        Assert.True(Operation.TryDecode(Convert.FromHexString(hex), out var decoded, out _));
        Assert.Equal(operation, decoded);
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
