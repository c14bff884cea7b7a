"""Chinese surnames, as far as finding and masking names needs them."""

_COMPOUND = """
    欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政
    濮阳 公冶 太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马
    公西 颛孙 壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌
    微生 梁丘 左丘 东门 西门 第五
    """
COMPOUND = frozenset(_COMPOUND.split())

# The commonest ones. Left out are those that are common words too (和 时 从 应 有 元 平 水 家 都 那 ...): a missed rare
# name costs less than holes all over a text.
SINGLE = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范彭郎鲁韦马苗方俞任袁柳酆鲍史唐费"
    "廉岑薛雷贺倪汤滕殷罗毕郝邬安常傅卞康伍余卜顾孟黄穆萧尹姚邵汪祁毛禹狄贝臧伏戴宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季"
    "贾江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞柯莫房裘缪解丁宣邓郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀甄曲封储靳松"
    "段富焦巴侯班秋伊宫宁仇栾甘厉祖武符刘景詹龙叶司黎薄印白蒲邰鄂赖卓蔺屠蒙池乔胥苍闻党翟谭贡姬申冉桑桂牛边尚温庄晏柴瞿阎"
    "慕连艾容古易廖衡步耿匡寇广阙欧沃巩聂晁勾敖融冷辛阚简饶曾关蒯查荆游竺盖岳帅缑亢况郈"
    "闫肖付覃代佟涂兰丘苟仝佘危卢仲车屈巫麻齐牟佴南"
)
