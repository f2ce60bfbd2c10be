using Xunit;

namespace Tlfs.Core.Tests.Crdt.Laws;

public sealed class JsonRoundTripTests
{
    private const string Full = """
        {"bool":true,"byBool":{"false":1,"true":2},"byBytes":{"":[true],"AAE=":[false,true]},"byI64":{"-9223372036854775808":{"name":"least","tags":[]},"-1":{"name":null,"tags":["a","b"]},"7":{"name":"x","tags":[null]}},"bytes":"/+4=","f64":-0.1,"flag":true,"i64":-9223372036854775808,"inner":{"flags":{"é":true,"off":false},"text":"😀 \" \\ \u0001"},"keys":{"0":null,"18446744073709551615":null},"matrix":[[],[1.5,2],[null]],"text":"","u64":18446744073709551615}
        """;

    [Fact]
    public void A_document_reads_back_as_it_was_set()
    {
        var replica = new Replica(Schemas.Everything, 1);
        replica.Set(".", Full);
        Assert.Equal(Full.Trim(), replica.Json);
    }

    [Fact]
    public void Setting_a_document_to_its_own_text_changes_nothing_to_see()
    {
        var replica = new Replica(Schemas.Everything, 1);
        replica.Set(".", Full);
        var before = replica.Json;
        var entries = replica.State.EntryCount;
        replica.Set(".", before);
        Assert.Equal(before, replica.Json);
        Assert.Equal(entries, replica.State.EntryCount);
    }
}
